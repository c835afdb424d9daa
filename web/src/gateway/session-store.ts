// Who uses the page, as the server sees it: kept outside of React, since every call needs the CSRF
// token and any answer may say that the session is over. Pure apart from the listeners.

export const ROLES = ["viewer", "operator", "engineer", "administrator"] as const;
export type Role = (typeof ROLES)[number];

export interface Session {
  name: string;
  role: Role;
  csrf: string;
  /** Seconds since 1970. */
  idle_until: number;
  expires: number;
}

/**
 * `asking`: not known yet; `setup`: no administrator exists; `out`: nobody is logged in; `in`;
 * `expired`: somebody was, and the page still shows what he was doing.
 */
export type Presence = "asking" | "setup" | "out" | "in" | "expired";

export interface SessionState {
  presence: Presence;
  session: Session | undefined;
}

let state: SessionState = { presence: "asking", session: undefined };
const listeners = new Set<() => void>();

function become(next: SessionState): void {
  state = next;
  listeners.forEach((listener) => listener());
}

export const sessionState = () => state;

export function watchSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function entered(session: Session): void {
  become({ presence: "in", session });
}

/** Nobody is logged in; whoever was keeps the page as it stands until he logs in again. */
export function refused(): void {
  if (state.presence === "in") {
    become({ ...state, presence: "expired" });
  } else if (state.presence === "asking") {
    become({ presence: "out", session: undefined });
  }
}

export function left(): void {
  become({ presence: "out", session: undefined });
}

export function needsSetup(): void {
  become({ presence: "setup", session: undefined });
}

/** Has `role` the rights of `needed`? Each role includes those before it. */
export function includes(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
