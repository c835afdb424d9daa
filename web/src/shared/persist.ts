// Files of the page that are loaded when they are needed first: a server that is busy or starting
// anew may let one fail.

const WAITS_MS = [250, 1000, 3000];

/** Runs `load`, again after each of the waits while it fails. */
export async function persist<T>(load: () => Promise<T>, waits: readonly number[] = WAITS_MS): Promise<T> {
  for (const wait of waits) {
    try {
      return await load();
    } catch {
      await new Promise((next) => setTimeout(next, wait));
    }
  }
  return load();
}
