// What scripts can call, for completion and its help: docs/api/wizard_api.md in short. Data.

export interface Method {
  name: string;
  /** As it is written down, parameters with their defaults. */
  signature: string;
  help: string;
  /** What is put in; `#{name}` is a place to type at. */
  template: string;
  /** Only there with cloud type AWS IoT. */
  aws?: boolean;
}

export const METHODS: readonly Method[] = [
  {
    name: "awsiot_publish",
    signature: "awsiot_publish(topic, payload, qos)",
    help: "Sends in order of collection and keeps the message until the cloud has acknowledged it. qos is 0 or 1. True: the cloud is connected; False: it waits in the outbox.",
    template: 'awsiot_publish("#{topic}", #{payload}, 1)',
    aws: true,
  },
  {
    name: "mqtt_publish",
    signature: "mqtt_publish(topic, payload, qos)",
    help: "Sends at once and keeps nothing. True when it was sent, with QoS 1 and 2 when the server has acknowledged it; False: not sent, save it yourself.",
    template: 'mqtt_publish("#{topic}", #{payload}, 1)',
  },
  {
    name: "save_data",
    signature: "save_data(data, group=None)",
    help: 'Keeps a message until it is delivered, in order of saving. data is {"topic", "qos", "payload"}; with a group it is the payload alone and goes where the first publish message of that group goes.',
    template: 'save_data({"topic": "#{topic}", "qos": 1, "payload": #{payload}})',
  },
  {
    name: "write_plc_values",
    signature: "write_plc_values(message, callback=None, tail=None, timeout=60)",
    help: "Writes variables: {variable: value} or {device: {variable: value}}. The callback gets a list of {value, device, var_name, result, error}, or a tuple when the time is over.",
    template: 'write_plc_values({"#{variable}": #{value}}, #{callback})',
  },
  {
    name: "recall_data",
    signature: "recall_data(callback, tail=None, timeout=60)",
    help: "Reads every readable variable now; the callback gets {timestamp, values}.",
    template: "recall_data(#{callback})",
  },
  {
    name: "get_tag_config",
    signature: "get_tag_config(callback, tail=None, timeout=60)",
    help: "The callback gets the configuration: devices, groups, warning, vars.",
    template: "get_tag_config(#{callback})",
  },
  {
    name: "get_global_parameter",
    signature: "get_global_parameter()",
    help: "A dict: gateway_sn, log_level, catch_recording, warning_recording and every custom parameter.",
    template: "get_global_parameter()",
  },
  {
    name: "sequence",
    signature: "sequence()",
    help: '{"boot", "sequence"}: a number without holes for each message, so that a receiver sees what it did not get.',
    template: "sequence()",
  },
];

export interface Key {
  name: string;
  help: string;
}

/** Of `data_collect`. */
export const TOP_KEYS: readonly Key[] = [
  { name: "timestamp", help: "float, seconds since the epoch: when the values were read" },
  { name: "values", help: "the values, by device and variable; of an alarm group by alarm" },
  { name: "group_name", help: "str, the group" },
];

/** Of one variable. */
export const VALUE_KEYS: readonly Key[] = [
  { name: "raw_data", help: "the value: bool, int, float or str; None when it could not be read" },
  { name: "status", help: "1 collected, 0 not" },
];

/** Of one alarm. */
export const ALARM_KEYS: readonly Key[] = [
  { name: "timestamp", help: "int, seconds since the epoch: when the value was read" },
  { name: "current", help: '"on" or "off"' },
  { name: "status", help: "0 triggered, 1 cleared" },
  { name: "value", help: "the value that decided it" },
  { name: "alarm_content", help: "the alarm's text" },
  { name: "level", help: "1; of a communication alarm 1 to 5" },
];

/** Modules that scripts import most. */
export const MODULES: readonly Key[] = [
  { name: "logging", help: "log lines that always show" },
  { name: "common.Logger", help: "from common.Logger import logger: lines that follow the log level" },
  { name: "json", help: "JSON" },
  { name: "datetime", help: "dates and times" },
  { name: "time", help: "time" },
  { name: "math", help: "mathematics" },
  { name: "struct", help: "bytes to numbers and back" },
  { name: "re", help: "regular expressions" },
];
