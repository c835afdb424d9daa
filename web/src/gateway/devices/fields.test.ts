import { describe, expect, it } from "vitest";
import { deviceKeys, following, newVariable, nextOf, settled, typesFor, variableKeys, wayOf, withProtocol } from "./fields";

const TYPES = ["BOOL", "BIT", "BYTE", "SINT", "WORD", "FLOAT", "STRING", "BCD", "S7STRING", "AUTO"];

describe("the form of a device", () => {
  const first = (device: Record<string, unknown>) => deviceKeys(device, "ip").first.slice(2);
  it("asks what its protocol has", () => {
    expect(first({ protocol: "ModbusTCP" })).toEqual(["ip", "port", "slave", "byte_order"]);
    expect(deviceKeys({ protocol: "ModbusRTU" }, "serial").first).toEqual(["device_name", "protocol", "serial", "slave", "byte_order"]);
    expect(first({ protocol: "ModbusRTU" })).toContain("port");
    expect(first({ protocol: "ISO-on-TCP" })).toEqual(["ip", "port", "mode", "rack", "slot"]);
    expect(first({ protocol: "ISO-on-TCP", mode: "TSAP" })).toEqual(["ip", "port", "mode", "client_tsap", "server_tsap"]);
    expect(first({ protocol: "EtherNet/IP" })).toEqual(["ip", "port"]);
    expect(deviceKeys({ protocol: "EtherNet/IP" }, "ip").more).toEqual(["slot", "route", "connected", "timeout", "comm_alarm"]);
    expect(first({ protocol: "OPCUA", ip: "" })).toEqual(["url", "auth", "security_policy", "security_mode"]);
    expect(first({ protocol: "OPCUA", ip: "h" })[0]).toBe("ip");
    expect(first({ protocol: "OPCUA", auth: "Username/Password" })).toContain("password_file");
    expect(first({ protocol: "OPCUA", auth: "Certificate" })).toEqual(["url", "auth", "cert", "key", "security_policy", "security_mode"]);
    expect(first({ protocol: "Simulator" })).toEqual([]);
    expect(deviceKeys({ comm_alarm: true }, "ip").more).toContain("comm_alarm_level");
    expect(wayOf({ protocol: "ModbusRTU", serial: "RS485" })).toBe("serial");
    expect(wayOf({ protocol: "ModbusRTU", ip: "10.0.0.1" })).toBe("ip");
  });
  it("has the port of its protocol, unless one was chosen", () => {
    expect(withProtocol({ protocol: "ModbusTCP", port: 502 }, { protocol: "ISO-on-TCP", port: 502 })["port"]).toBe(102);
    expect(withProtocol({ protocol: "ModbusTCP", port: 1502 }, { protocol: "ISO-on-TCP", port: 1502 })["port"]).toBe(1502);
    expect(withProtocol({ protocol: "OPCUA" }, { protocol: "EtherNet/IP" })["port"]).toBe(44818);
  });
});

describe("the form of a variable", () => {
  it("asks what its protocol and type have", () => {
    const modbus = (data_type: string, register_addr: number) => variableKeys({ data_type, register_addr }, "ModbusTCP");
    expect(modbus("BOOL", 40001)).toContain("register_bit");
    expect(modbus("BOOL", 1)).not.toContain("register_bit");
    expect(modbus("FLOAT", 40001)).toContain("float_repr");
    expect(modbus("STRING", 40001)).toContain("size");
    expect(modbus("WORD", 40001)).not.toContain("size");
    expect(variableKeys({ register_type: "DB", data_type: "BOOL" }, "ISO-on-TCP").slice(0, 6)).toEqual([
      "var_name", "register_type", "dbnumber", "register_addr", "data_type", "register_bit",
    ]);
    expect(variableKeys({ register_type: "M", data_type: "WORD" }, "ISO-on-TCP")).not.toContain("dbnumber");
    expect(variableKeys({ data_type: "AUTO" }, "EtherNet/IP").slice(0, 3)).toEqual(["var_name", "symbol", "float_repr"]);
    expect(variableKeys({ data_type: "DINT" }, "EtherNet/IP")).toContain("data_type");
    expect(variableKeys({ data_type: "AUTO" }, "OPCUA").slice(1, 6)).toEqual([
      "namespace_index", "identifier_type", "identifier", "array_index", "data_type",
    ]);
  });
  it("offers the types of its protocol", () => {
    expect(typesFor("ModbusTCP", 40001, TYPES)).not.toContain("AUTO");
    expect(typesFor("ModbusTCP", 1, TYPES)).toEqual(["BOOL", "BIT"]);
    expect(typesFor("ISO-on-TCP", 1, TYPES)).toEqual(TYPES.filter((type) => type !== "AUTO"));
    expect(typesFor("OPCUA", null, TYPES)).not.toContain("BCD");
    expect(newVariable("EtherNet/IP")["data_type"]).toBe("AUTO");
    expect(newVariable("ISO-on-TCP")).toMatchObject({ register_type: "DB", data_type: "WORD" });
  });
  it("knows what cannot be written", () => {
    expect(following({ register_type: "I", read_write: "read/write" }, "ISO-on-TCP")["read_write"]).toBe("read");
    expect(following({ register_addr: 10001, data_type: "WORD", read_write: "write" }, "ModbusTCP")).toMatchObject({ data_type: "BOOL", read_write: "read" });
  });
  it("takes an address in S7 notation apart", () => {
    const at = (register_addr: unknown, data_type: string) => settled({ register_addr, data_type, register_type: "DB", dbnumber: 1 });
    expect(at("DB6.DBD18", "FLOAT")).toMatchObject({ dbnumber: 6, register_addr: 18, data_type: "FLOAT" });
    expect(at("DB6.DBD18", "WORD")).toMatchObject({ data_type: "DWORD" });
    expect(at("M10.2", "WORD")).toMatchObject({ register_type: "M", register_bit: 2, data_type: "BOOL", dbnumber: undefined });
    expect(at("M10.2", "BIT")).toMatchObject({ data_type: "BIT" });
    expect(at("IW3", "INT")).toMatchObject({ register_type: "I", data_type: "INT" });
    expect(at("DB6.14", "WORD")).toMatchObject({ register_addr: 14, data_type: "WORD" });
    expect(at("x", "WORD")).toMatchObject({ register_addr: "x" });
    expect(at(5, "WORD")).toMatchObject({ register_addr: 5 });
  });
});

describe("the next variable", () => {
  it("stands behind the one before", () => {
    const s7 = (draft: Record<string, unknown>) => nextOf({ var_name: "a1", ...draft }, "ISO-on-TCP");
    expect(s7({ data_type: "FLOAT", register_addr: 18 })).toMatchObject({ var_name: "a2", register_addr: 22 });
    expect(s7({ data_type: "BOOL", register_addr: 2, register_bit: 7 })).toMatchObject({ register_addr: 3, register_bit: 0 });
    expect(s7({ data_type: "S7STRING", register_addr: 0, size: 15 })).toMatchObject({ register_addr: 18 });
    expect(nextOf({ var_name: "a1", data_type: "WORD", register_addr: 40001 }, "ModbusTCP")).toMatchObject({ register_addr: 40002 });
    expect(nextOf({ var_name: "a1", symbol: "Tank[1]" }, "EtherNet/IP")).toEqual({ var_name: "a2", symbol: "Tank[1]" });
  });
});
