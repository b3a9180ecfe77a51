"""The use cases: each takes the engine's ports and one request, decides purely, then acts.

``start`` accepts a run, ``advance`` processes one message, ``sweep`` looks after what is due,
``dead_letter`` after what could not be processed, ``control`` carries out what people ask for,
``query`` answers what they want to know. ``attempt`` and ``deadline`` run the code of one step;
``look`` replays a run that is only looked at; ``payloads`` moves large values to the blob store
and back.
"""
