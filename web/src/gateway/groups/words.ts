// Texts of the page Group.

export const words = {
  title: "Group",
  add: "Add group",
  editGroup: (name: string) => `Edit group ${name}`,
  deleteGroup: (name: string) => `Delete group ${name}`,
  tick: (name: string) => `Tick group ${name}`,
  tickAll: "Tick all groups",
  fixed: "This group always exists.",
  importFiles: "Import",
  exportGroups: "Export groups",
  deleteTicked: "Delete what is ticked",
  name: "Name",
  type: "Type",
  types: { collect: "Collect", alarm: "Alarm" },
  polling: "Polling Interval(S)",
  uploading: "Uploading Interval(S)",
  everySample: (interval: number) => `${interval}, every sample`,
  samplesHelp: (waiting: number) => `${waiting.toLocaleString("en")} wait for the end of the interval`,
  setAside: (count: number) => `${count.toLocaleString("en")} set aside`,
  variables: "Variables",
  alarms: "Alarms",
  cycles: "Cycles late",
  cyclesHelp: "Cycles that were left out because the one before took too long, of all since the start",
  operation: "Operation",
  none: "--",
  confirm: (count: number) => (count === 1 ? "Delete the group?" : `Delete ${count} groups?`),
  confirmText: (variables: number, alarms: number) => {
    const parts = [
      ...(variables > 0 ? [`${variables.toLocaleString("en")} variable${variables === 1 ? "" : "s"}`] : []),
      ...(alarms > 0 ? [`${alarms.toLocaleString("en")} alarm${alarms === 1 ? "" : "s"}`] : []),
    ];
    return parts.length === 0 ? "Nothing belongs to it." : `Its ${parts.join(" and ")} will belong to the predefined group.`;
  },
  delete: "Delete",
  save: "Save",
  total: (count: number) => `Total ${count.toLocaleString("en")} item${count === 1 ? "" : "s"}`,
  slow: "Read slower than they are sent: what is sent is never newer than what was read.",
} as const;
