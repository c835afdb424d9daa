// Texts of the import dialog, which several pages use.

export const importWords = {
  title: "Import",
  drop: "Press here to choose CSV files, or drop them here. Nothing is changed before you have seen what they would do.",
  kinds: "device.csv, var.csv, group.csv and warn.csv of a Device Supervisor, or what was exported here; several at once.",
  others: "Other files",
  show: "Rows shown",
  all: "All",
  states: { added: "added", changed: "changed", unchanged: "unchanged", "not taken": "not taken" },
  line: "Line",
  result: "Result",
  name: "Name",
  what: "What changes, or why not",
  notes: "What does not come over",
  fromLine: (line: number, rows: number) => (rows === 1 ? `line ${line}` : `line ${line} and ${rows - 1} more`),
  apply: (rows: number) => (rows === 1 ? "Apply 1 row" : `Apply ${rows.toLocaleString("en")} rows`),
  why: (files: string) => `import of ${files}`,
  done: "The import is applied",
} as const;
