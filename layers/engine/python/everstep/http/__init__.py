"""The HTTP API: requests in, use cases called, JSON out.

* ``trigger`` and ``api`` are the two applications, one per function: what is routed where;
* ``application`` runs a route, and turns whatever goes wrong into an answer;
* ``requests`` and ``bodies`` read what came, strictly; ``rendering`` writes runs as JSON;
* ``problems`` holds the one table from error to status (RFC 9457), ``faults`` the errors that
  only HTTP knows.
"""
