// CSV files as the gateway writes them, into the user's download folder.
import { path } from "../../shared/api";
import { download } from "../../shared/download";
import { getText, type Query } from "../api";

export async function exportCsv(kind: "devices" | "variables" | "groups", query?: Query): Promise<void> {
  download(`${kind}.csv`, await getText(path`/export/${kind}`, query), "text/csv");
}
