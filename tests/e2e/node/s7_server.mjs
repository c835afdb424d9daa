// An S7 server that is not ours (node-snap7 with the snap7 sources it brings along), told what to
// do by lines of JSON on standard input and answering each with one:
//   {"do": "set", "area": "DB", "db": 1, "first": 10, "bytes": "0a0b"}
//   {"do": "get", "area": "M", "first": 0, "len": 4}        -> {"bytes": "..."}
// Arguments: port, and numbers of data blocks it has beside DB1 and DB2. The first line is "ready".
import {createRequire} from "node:module";
import readline from "node:readline";

const snap7 = createRequire(import.meta.url)("node-snap7");
const server = new snap7.S7Server();
const memory = {I: Buffer.alloc(128), Q: Buffer.alloc(128), M: Buffer.alloc(256)};
const codes = {I: server.srvAreaPE, Q: server.srvAreaPA, M: server.srvAreaMK, DB: server.srvAreaDB};

function must(done, what) {
  if (!done) {
    throw new Error(`${what}: ${server.ErrorText(server.LastError())}`);
  }
}

function add(db, len) {
  must(server.RegisterArea(server.srvAreaDB, db, Buffer.alloc(len)), `DB${db}`);
}

function area(line) {
  return line.area === "DB" ? [server.srvAreaDB, line.db] : [codes[line.area]];
}

const orders = {
  set(line) {
    const bytes = server.GetArea(...area(line));
    Buffer.from(line.bytes, "hex").copy(bytes, line.first);
    server.SetArea(...area(line), bytes);
    return {};
  },
  get(line) {
    const bytes = server.GetArea(...area(line));
    return {bytes: bytes.subarray(line.first, line.first + line.len).toString("hex")};
  },
};

for (const [name, bytes] of Object.entries(memory)) {
  must(server.RegisterArea(codes[name], bytes), name);
}
add(1, 1000);
add(2, 400);
process.argv.slice(3).forEach((number) => add(Number(number), 400));
must(server.SetParam(server.LocalPort, Number(process.argv[2])), "port");
must(server.StartTo("127.0.0.1"), "start");
console.log("ready");
readline.createInterface({input: process.stdin}).on("line", (text) => {
  const line = JSON.parse(text);
  console.log(JSON.stringify(orders[line.do](line)));
}).on("close", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));
