"""What every answer carries: a content policy with a nonce, and no doors left open. And the check against forged posts."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g
from flask_wtf import CSRFProtect

MAX_BYTES = 1_000_000

csrf = CSRFProtect()


def nonce() -> str:
    """This page's nonce, for the few scripts and styles written into it."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    found: str = g.nonce
    return found


def set_up(app: Flask, *, https: bool, session_key: bytes) -> None:
    """Sessions, the check against forged posts, size limits and headers."""
    app.config.update(
        SECRET_KEY=session_key,
        SESSION_COOKIE_NAME="yyassess",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        # Assessors keep a page open through a long visit: a token lives as long as its session.
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=MAX_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BYTES,
    )
    csrf.init_app(app)
    app.jinja_env.globals["nonce"] = nonce

    def headers(response: Response) -> Response:
        policy = (
            f"default-src 'self'; script-src 'nonce-{nonce()}'; style-src 'self' 'nonce-{nonce()}'; "
            "img-src 'self' data:; worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'"
        )
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        # Not `no-referrer`: over HTTPS the check against forged posts reads where a post came from.
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        # Pages are personal: nothing on a shared phone may keep them.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(headers)
