// OpenWorkflow (TypeScript) on SQLite (node:sqlite, Node 22) or PostgreSQL, its worker in this process.
// The same protocol as protocol.py: node openworkflow.mjs TASK, with OPENWORKFLOW_HOME naming the
// folder of its node_modules.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const HOME = process.env.OPENWORKFLOW_HOME;
const CONCURRENCY = 20;
const LOOK_EVERY = 5;
const CRASH_MILLIS = 90_000;
const LONG_MILLIS = 10_000;

const load = (file) => import(pathToFileURL(path.join(HOME, "node_modules/openworkflow/dist", file)).href);
const { OpenWorkflow } = await load("index.js");
const version = JSON.parse(
  fs.readFileSync(path.join(HOME, "node_modules/openworkflow/package.json"), "utf8"),
).version;

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const tell = (event, facts) => fs.writeSync(1, `${JSON.stringify({ event, ...facts })}\n`);
const tellAndWait = (event, facts) => {
  tell(event, facts);
  fs.readSync(0, Buffer.alloc(1));
};
const opened = new Map();

function mark(file, run, number) {
  if (!opened.has(file)) opened.set(file, fs.openSync(file, "a"));
  fs.writeSync(opened.get(file), `${run} ${number} ${process.hrtime.bigint()}\n`);
}

function begun(file) {
  if (!fs.existsSync(file)) return 0;
  return fs.readFileSync(file, "utf8").split("\n").length - 1;
}

async function connect(database) {
  if (database.startsWith("postgres")) return (await load("postgres.js")).BackendPostgres.connect(database);
  return (await load("sqlite.js")).BackendSqlite.connect(database);
}

function define(ow) {
  const work = (step, input, number) =>
    step.run({ name: `step-${number}` }, async () => {
      mark(input.marks, input.run, number);
      if (input.millis) await pause(input.millis);
      return number;
    });
  const sequence = ow.defineWorkflow({ name: "sequence" }, async ({ input, step }) => {
    let total = 0;
    for (let number = 0; number < input.steps; number++) total += await work(step, input, number);
    return total;
  });
  const naps = ow.defineWorkflow({ name: "naps" }, async ({ input, step }) => {
    await work(step, input, 0);
    for (let number = 0; number < input.steps; number++) {
      await step.sleep(`nap-${number}`, `${input.seconds}s`);
      await work(step, input, number + 1);
    }
    return input.steps;
  });
  const fan = ow.defineWorkflow({ name: "fan" }, async ({ input, step }) => {
    const numbers = Array.from({ length: input.steps }, (_, number) => number);
    const found = await Promise.all(numbers.map((number) => work(step, input, number)));
    return found.reduce((sum, each) => sum + each, 0);
  });
  return { sequence, naps, fan, crash: sequence };
}

async function ended(backend, ids) {
  for (const id of ids)
    for (;;) {
      const run = await backend.getWorkflowRun({ workflowRunId: id });
      if (run.status === "failed" || run.status === "canceled")
        throw new Error(`a run ${run.status}: ${JSON.stringify(run.error)}`);
      if (run.status === "completed" || run.status === "succeeded") break;
      await pause(LOOK_EVERY);
    }
}

const given = (item, run) => ({
  marks: item.marks,
  run,
  steps: item.steps,
  seconds: item.seconds ?? 0,
  millis: item.millis ?? 0,
});

async function play(item, backend, flows, options) {
  if (item.shape === "crash") return crash(item, options);
  const began = performance.now();
  const ids = [];
  for (let number = 0; number < (item.runs ?? 1); number++)
    ids.push((await flows[item.shape].run(given(item, number))).workflowRun.id);
  if (item.workload === "W3") {
    while (begun(item.marks) < item.runs) await pause(LOOK_EVERY);
    tell("asleep", { item: item.number });
  }
  await ended(backend, ids);
  return (performance.now() - began) / 1000;
}

function childOf(database, what, item) {
  const self = fileURLToPath(import.meta.url);
  const task = JSON.stringify(given(item, 0));
  const options = { stdio: ["ignore", "ignore", "inherit"] };
  return spawn(process.execPath, ["--no-warnings", self, what, database, task], options);
}

const exit = (child) => new Promise((resolve) => child.on("exit", resolve));

async function crash(item, options) {
  const first = childOf(options.crash_database, "--run", item);
  const gone = exit(first);
  while (begun(item.marks) < item.kill_at) await pause(LOOK_EVERY);
  first.kill("SIGKILL");
  await gone;
  const killed = performance.now();
  const second = childOf(options.crash_database, "--go-on", item);
  const over = exit(second);
  const late = setTimeout(() => second.kill("SIGKILL"), CRASH_MILLIS);
  const code = await over;
  clearTimeout(late);
  if (code !== 0) throw new Error(`did not finish within ${CRASH_MILLIS / 1000} s after the kill`);
  return (performance.now() - killed) / 1000;
}

async function beChild(what, database, input) {
  const backend = await connect(database);
  const ow = new OpenWorkflow({ backend });
  const flows = define(ow);
  const note = `${input.marks}.id`;
  if (what === "--run") fs.writeFileSync(note, (await flows.sequence.run(input)).workflowRun.id);
  await ow.newWorker({ concurrency: CONCURRENCY }).start();
  await ended(backend, [fs.readFileSync(note, "utf8")]);
  process.exit(0);
}

if (process.argv[2].startsWith("--")) {
  await beChild(process.argv[2], process.argv[3], JSON.parse(process.argv[4]));
}
const task = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const backend = await connect(task.options.database);
const ow = new OpenWorkflow({ backend });
const flows = define(ow);
await ow.newWorker({ concurrency: CONCURRENCY }).start();
const warm = await flows.sequence.run({ marks: "/dev/null", run: 0, steps: 3, millis: 0 });
await ended(backend, [warm.workflowRun.id]);
tell("ready", { versions: { openworkflow: version, node: process.version.slice(1) } });
let last = 0;
for (const item of task.items) {
  if (item.again && last > LONG_MILLIS) continue;
  tellAndWait("begin", { item: item.number });
  const began = performance.now();
  try {
    const seconds = await play(item, backend, flows, task.options);
    last = performance.now() - began;
    tellAndWait("end", { item: item.number, seconds });
  } catch (error) {
    last = Infinity;
    tellAndWait("failed", { item: item.number, reason: String(error).slice(0, 400) });
  }
}
process.exit(0);
