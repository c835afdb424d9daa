// The gateway's option tables: what each object of the configuration has, with ranges, units, words
// and help, so that a form can never lag behind what the gateway understands.
import { useLoad } from "../shared/use-load";
import { get } from "./api";

export type OptionType = "text" | "path" | "int" | "number" | "bool" | "word" | "texts";

export interface Option {
  key: string;
  type: OptionType;
  required?: boolean;
  unit?: string | null;
  min?: number | null;
  max?: number | null;
  fallback?: unknown;
  words?: string[];
  help: string;
  secret?: boolean;
}

export interface Block {
  block: string;
  kind: string;
  name_key?: string | null;
  help: string;
  options: Option[];
}

let tables: Promise<Block[]> | undefined;

/** Asked for once; they change with the gateway's program only. */
export function loadOptions(): Promise<Block[]> {
  tables ??= get<{ blocks: Block[] }>("options").then(
    ({ blocks }) => blocks,
    (error: unknown) => {
      tables = undefined;
      throw error;
    },
  );
  return tables;
}

export function useOptions() {
  return useLoad(loadOptions);
}

export function findBlock(blocks: Block[] | undefined, name: string): Block | undefined {
  return blocks?.find(({ block }) => block === name);
}
