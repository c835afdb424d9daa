// A foreign EtherNet/IP client (st-ethernet-ip) at a controller: lists tags, reads, writes, reads
// back. Arguments: port, "connected" or "unconnected". One JSON document on standard output.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [port, way] = process.argv.slice(2);
require("st-ethernet-ip/dist/config.js").EIP_PORT = Number(port);
const { Controller, Tag, TagGroup, Structure, TagList, EthernetIP } = require("st-ethernet-ip");
const { Types } = EthernetIP.CIP.DataTypes;

const controller = new Controller(way === "connected");
await controller.connect("127.0.0.1", 0);
const found = {};

found.name = controller.properties.name;
found.tags = controller.state.tagList.tags.filter((tag) => tag.program !== "Many").map((tag) => ({
  name: tag.name, program: tag.program, type: tag.type.typeName, dimensions: tag.type.arrayDims,
}));
found.many = controller.state.tagList.tags.filter((tag) => tag.program === "Many").length;

const read = async (name, program = null, ...more) => {
  const tag = new Tag(name, program, ...more);
  await controller.readTag(tag);
  return typeof tag.value === "bigint" ? Number(tag.value) : tag.value;
};
const write = async (name, value, program = null) => {
  const tag = new Tag(name, program);
  await controller.readTag(tag);
  tag.value = value;
  await controller.writeTag(tag);
};

found.before = {};
for (const name of ["Temperature", "Setpoint", "StirrerSetpoint", "Heater", "Numbers[3]", "Matrix[1,2]",
  "Motors[2].Name.LEN", "Motor.Running", "Types_SINT", "Types_INT", "Types_DINT", "Types_LINT", "Types_REAL",
  "Types_BOOL", "Types_USINT", "Types_UINT", "Types_UDINT"]) {
  found.before[name] = await read(name).catch((error) => `error ${JSON.stringify(error)}`);
}
found.before.Local = await read("Local", "Main");
const numbers = new Tag("Numbers", null, null, 0, 1, 10);
await controller.readTag(numbers);
found.before.Numbers = numbers.value;

const structured = async (name) => {
  const tag = new Structure(name, controller.state.tagList);
  await controller.readTag(tag);
  return tag;
};
found.recipe = (await structured("Recipe")).value;
found.motor = (await structured("Motor")).value;

const group = new TagGroup();
const members = ["Setpoint", "Counter", "Types_REAL"].map((name) => new Tag(name));
members.forEach((tag) => group.add(tag));
await controller.readTagGroup(group);
found.group = members.map((tag) => tag.value);

await write("Setpoint", 55);
await write("StirrerSetpoint", 90.5);
await write("Heater", false);
await write("Numbers[3]", -7);
await write("Types_DINT", 0);
const bit = new Tag("Types_DINT.5");
await controller.readTag(bit);
bit.value = 1;
await controller.writeTag(bit);
const recipe = await structured("Recipe");
recipe.value = "BATCH-77";
await controller.writeTag(recipe);
found.after = {};
for (const name of ["Setpoint", "StirrerSetpoint", "Heater", "Numbers[3]", "Types_DINT"]) {
  found.after[name] = await read(name);
}
found.after.Recipe = (await structured("Recipe")).value;
found.refused = await read("Nowhere").then(() => null, (error) => error.generalStatusCode);
await controller.disconnect();
console.log(JSON.stringify(found));
process.exit(0);
