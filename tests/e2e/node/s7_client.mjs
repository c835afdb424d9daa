// An S7 client that is not ours (nodes7, JavaScript all the way): writes what it is told, reads what
// it is told, prints one line of JSON.
//   node s7_client.mjs PORT '{"write": {"DB2,INT20": 7}, "read": ["DB1,INT0", "M0.0"]}'
import {createRequire} from "node:module";

const nodes7 = createRequire(import.meta.url)("nodes7");
const [port, text] = process.argv.slice(2);
const {write = {}, read = []} = JSON.parse(text);
const connection = new nodes7({silent: true});

function fail(error) {
  console.log(JSON.stringify({error: String(error)}));
  process.exit(1);
}

function readAll() {
  connection.addItems(read);
  connection.readAllItems((bad, values) => {
    connection.dropConnection(() => {
      console.log(JSON.stringify({bad: Boolean(bad), values}));
      process.exit(0);
    });
  });
}

connection.initiateConnection({port: Number(port), host: "127.0.0.1", rack: 0, slot: 1,
  timeout: 20000}, (error) => {
  if (error !== undefined) {
    fail(error);
  }
  const names = Object.keys(write);
  if (names.length === 0) {
    readAll();
    return;
  }
  connection.writeItems(names, Object.values(write), (bad) => (bad ? fail("write") : readAll()));
});
