"""``twistd -ny`` this: the server as it is, but mail is read by functions of another package."""

import os

from twisted.application.service import Application

from tempmail.options import from_environment
from tempmail.service import makeService

application = Application("tempmail")
server = makeService(from_environment(os.environ))
server.isolation.package = os.environ["CONTENT_PACKAGE"]
server.setServiceParent(application)
