"""Count what functions ask of AWS, from inside their processes.

The folder is laid into the workflows layer, beside the workflows:

- `sizes`: how large DynamoDB says that an item is, and what it costs to read and to write;
- `recorder`: wraps the SDK's calls and writes one JSON line for each;
- `installed`: importing it begins to record; the engine imports it as if it held workflows.

Only the standard library and botocore are imported, and no request is changed: what a write
costs depends on the item before it, which `bench.table_model` keeps track of afterwards.
"""
