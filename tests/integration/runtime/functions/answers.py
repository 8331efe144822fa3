"""A WSGI application behind API Gateway."""

from flask import Flask

from fleece.handlers.wsgi import wsgi_handler
from fleece.log import get_logger, inject_request_ids_into_environment

logger = get_logger("answers")
app = Flask(__name__)


@app.get("/letters/<int:count>")
def letters(count):
    """Answer with that many letters."""
    return "x" * count


@inject_request_ids_into_environment
def main(event, context):
    """Answer with the application."""
    return wsgi_handler(event, context, app, logger)
