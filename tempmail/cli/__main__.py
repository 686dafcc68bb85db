"""`python -m tempmail.cli`, the same as the console script."""

import sys

from tempmail.cli import main

sys.exit(main())
