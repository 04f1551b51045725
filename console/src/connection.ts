/* Whether the event stream is open; set by live.ts, read by everything that shows or writes. */
import { computed, signal } from "@preact/signals";

export type Connection = "connecting" | "live" | "off";
export const connection = signal<Connection>("connecting");
/** Since when nothing was heard, and when it is tried again; null while connected. */
export const lost = signal<{ since: number; retryAt: number } | null>(null);
/** Writing makes no sense now. */
export const offline = computed(() => lost.value !== null);
