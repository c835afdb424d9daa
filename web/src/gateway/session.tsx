// The session for pages: who is logged in and what he may do.
import { useMemo, useSyncExternalStore } from "react";
import { loadAnew } from "../shared/connection";
import { get, Problem, send } from "./api";
import { entered, includes, left, needsSetup, type Role, type Session, sessionState, watchSession } from "./session-store";

export type { Role } from "./session-store";

export interface Me {
  name: string;
  role: Role;
  can: (role: Role) => boolean;
}

export function usePresence() {
  return useSyncExternalStore(watchSession, sessionState);
}

export function useSession(): Me {
  const { session } = usePresence();
  return useMemo(() => {
    const role = session?.role ?? "viewer";
    return { name: session?.name ?? "", role, can: (needed: Role) => includes(session?.role, needed) };
  }, [session]);
}

/** Asks the server who one is, at the page's start. */
export async function whoAmI(): Promise<void> {
  try {
    entered(await get<Session>("session"));
  } catch (error) {
    if (!(error instanceof Problem)) {
      throw error;
    }
    const { needed } = await get<{ needed: boolean }>("setup");
    if (needed) {
      needsSetup();
    } else if (sessionState().presence !== "expired") {
      left();
    }
  }
}

export async function logIn(name: string, password: string): Promise<void> {
  entered(await send<Session>("POST", "session", { name, password }));
  loadAnew();
}

export async function setUp(code: string, name: string, password: string): Promise<void> {
  entered(await send<Session>("POST", "setup", { code, name, password }));
}

export async function logOut(): Promise<void> {
  try {
    await send("DELETE", "session");
  } catch (error) {
    // A session that is over already needs no end.
    if (!(error instanceof Problem) || error.status !== 401) {
      throw error;
    }
  }
  left();
}
