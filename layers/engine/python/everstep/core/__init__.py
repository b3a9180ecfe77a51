"""The pure heart of the engine: values, decisions and replay, without any IO.

A short tour, from the leaves up:

* ``errors`` the one error tree, ``durations`` and ``keys`` the small grammars;
* ``codec`` and ``shapes`` turn typed Python values into recorded text and back;
* ``model`` the recorded facts (run head, operation record, message);
* ``transitions`` which record may follow which, as data that every store obeys;
* ``retry`` what a failed attempt leads to;
* ``operations`` what workflow code can ask for, ``session`` the state of one pass over it;
* ``replay`` drives the coroutine against the history, ``decide`` says what is then owed.

Nothing here reads a clock, an environment variable or a socket; whatever depends on the
moment is handed in.
"""
