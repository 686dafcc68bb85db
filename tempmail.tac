"""``twistd -ny tempmail.tac``: the same server, its options in the environment.

TEMPMAIL_OPTIONS="--domain qa.test:catch-all --memory 512M" twistd -ny tempmail.tac
"""

import os

from twisted.application.service import Application

from tempmail.options import from_environment
from tempmail.service import makeService

application = Application("tempmail")
makeService(from_environment(os.environ)).setServiceParent(application)
