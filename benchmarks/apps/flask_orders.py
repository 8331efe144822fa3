"""A small Flask application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, jsonify, request

if TYPE_CHECKING:
    from flask import Response

app = Flask(__name__)


@app.get("/orders/<int:order_id>")
def read(order_id: int) -> Response:
    """Answer with an order."""
    return jsonify(id=order_id, status="shipped", expand=request.args.get("expand"))
