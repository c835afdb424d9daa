import { describe, expect, it } from "vitest";
import { closedKey, type Names, offersAt, parameters, type Script, signatureAt } from "./completion";
import { functionsOf, parametersOf, pathOf } from "./python-text";

const names: Names = {
  type: "collect",
  devices: [
    {
      name: "Boiler",
      variables: [
        { name: "Level", about: "WORD, mm", writable: true },
        { name: "Flow", about: "FLOAT", writable: false },
      ],
    },
    { name: "Pump", variables: [{ name: "Speed", about: "WORD" }] },
  ],
  alarms: [],
};
const script: Script = { kind: "publish", mainFunction: "main", aws: true, names };
const HEAD = "def main(data_collect, wizard_api):\n    ";

const labels = (text: string, of = script) => offersAt(text, text.length, of)?.offers.map(({ label }) => label);

describe("methods", () => {
  it("are offered behind the api's name, whatever the script calls it", () => {
    expect(labels(`${HEAD}wizard_api.`)).toContain("awsiot_publish");
    expect(labels("def main(d, w):\n    w.aw")).toContain("awsiot_publish");
    expect(labels("def main(d, w):\n    x.aw")).toBeUndefined();
  });

  it("are those of the cloud's type", () => {
    expect(labels(`${HEAD}wizard_api.`, { ...script, aws: false })).not.toContain("awsiot_publish");
  });

  it("replace what is typed", () => {
    const text = `${HEAD}wizard_api.aw`;
    expect(offersAt(text, text.length, script)?.from).toBe(text.length - 2);
  });

  it("show their signature while a call is open", () => {
    expect(signatureAt('wizard_api.save_data({"topic": 1}, ', ["wizard_api"])).toBe("save_data(data, group=None)");
    expect(signatureAt("wizard_api.save_data(1)", ["wizard_api"])).toBeUndefined();
  });
});

describe("keys of data_collect", () => {
  it("go down from the top to a value", () => {
    expect(labels(`${HEAD}data_collect["`)).toEqual(["timestamp", "values", "group_name"]);
    expect(labels(`${HEAD}data_collect['values']["`)).toEqual(["Boiler", "Pump"]);
    expect(labels(`${HEAD}data_collect["values"]["Boiler"]["Le`)).toEqual(["Level", "Flow"]);
    expect(labels(`${HEAD}data_collect["values"]["Boiler"]["Level"]["`)).toEqual(["raw_data", "status"]);
    expect(labels(`${HEAD}data_collect["timestamp"]["`)).toBeUndefined();
  });

  it("follow names, loops and get", () => {
    const loop = `${HEAD}for device, val_dict in data_collect['values'].items():\n        `;
    expect(labels(`${loop}val_dict["`)).toEqual(["Level", "Flow", "Speed"]);
    expect(labels(`${loop}for id, val in val_dict.items():\n            x = val["`)).toEqual(["raw_data", "status"]);
    expect(labels(`${HEAD}boiler = data_collect["values"]["Boiler"]\n    boiler.get("`)).toEqual(["Level", "Flow"]);
    expect(labels(`${HEAD}for d in data_collect["values"].values():\n        d["`)).toEqual(["Level", "Flow", "Speed"]);
  });

  it("are those of alarms for an alarm group", () => {
    const alarms: Script = {
      ...script,
      names: { type: "alarm", devices: [], alarms: [{ name: "Too high", about: "> 30" }] },
    };
    expect(labels(`${HEAD}data_collect["values"]["`, alarms)).toEqual(["Too high"]);
    expect(labels(`${HEAD}data_collect["values"]["Too high"]["`, alarms)).toContain("alarm_content");
  });

  it("take a name that means itself for nothing", () => {
    expect(pathOf("a = b\nb = a\n", 'a["x"]', "data")).toBeUndefined();
  });
});

describe("a chosen key", () => {
  it("is closed as it was begun, over what is there already", () => {
    expect(closedKey('data_collect["', "", "values")).toEqual({ text: 'values"]', eat: 0 });
    expect(closedKey('data_collect["', '"]', "values")).toEqual({ text: 'values"]', eat: 2 });
    expect(closedKey("data_collect['", "' ", "values")).toEqual({ text: "values']", eat: 1 });
    expect(closedKey('x.get("', '")', "raw_data")).toEqual({ text: 'raw_data"', eat: 1 });
    expect(closedKey('{"', '"', 'a"b\\')).toEqual({ text: 'a\\"b\\\\"', eat: 1 });
  });
});

describe("names to write", () => {
  it("are variables that can be written, and devices", () => {
    expect(labels(`${HEAD}wizard_api.write_plc_values({"`)).toEqual(["Level", "Speed", "Boiler", "Pump"]);
    expect(labels(`${HEAD}wizard_api.write_plc_values({"Boiler": {"`)).toEqual(["Level"]);
    expect(labels(`${HEAD}wizard_api.write_plc_values({"Boiler": {"Level": 1}, "`)).toContain("Pump");
  });

  it("are not offered for a value", () => {
    expect(labels(`${HEAD}wizard_api.write_plc_values({"Level": "`)).toBeUndefined();
  });
});

describe("the text of a script", () => {
  it("names its functions and their parameters", () => {
    const text = "def main(topic, payload=None, *rest):\n    def inner(): pass\n\ndef other():\n  pass\n";
    expect(functionsOf(text)).toEqual(["main", "other"]);
    expect(parametersOf(text, "main")).toEqual(["topic", "payload", "rest"]);
    expect(parametersOf(text, "none")).toBeUndefined();
  });

  it("has usual names when the function is not there yet", () => {
    expect(parameters("", script)).toEqual({ data: "data_collect", api: ["wizard_api"] });
  });

  it("is read quickly however it is written", () => {
    const hostile = `${HEAD}${'x["a"]'.repeat(5000)}\n${"for a, b in ".repeat(5000)}\ndata_collect["`;
    const began = performance.now();
    expect(labels(hostile)).toEqual(["timestamp", "values", "group_name"]);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it("offers modules behind import", () => {
    expect(labels("import lo")).toContain("logging");
  });
});
