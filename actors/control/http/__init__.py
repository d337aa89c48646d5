"""The operations over HTTP on this machine: `GET /v1/health`, `POST /v1/resume`; `/metrics`; `/v1/openapi.json`.

application   what is answered to a request
guard         who may ask: origin, token, and how often wrong tokens are compared (pure, time passed in)
openapi       the document that describes it, made of the table of operations
token_file    the token: a file that only this user can read
asking        what the application asks of the control actor
"""

from __future__ import annotations
