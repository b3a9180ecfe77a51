"""What runs inside LocalStack.

Only these modules import `localstack.*`: `entry_points`, `executor`, `assignment`, `loopback`,
`pollers`, `sqs_clock`, `cloudformation_pace`, `reserved_concurrency` and `dynamodb`. The others
know nothing of it and are tested without it:

- `sandbox`: one execution environment; what AWS would answer for each way an invocation can end;
- `function_process`: one operating-system process, its Runtime API and its output;
- `runtime_api`: the Lambda Runtime API, spoken by `awslambdaric` in the process;
- `launcher`: the first code of every process, run by the functions' interpreter;
- `spawner`, `memory_watch`, `log_pipe`: starting processes, watching and hearing them.
"""
