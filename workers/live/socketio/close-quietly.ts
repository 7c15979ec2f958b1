/** Closes a WebSocket whatever its state. */
export function closeQuietly(ws: WebSocket, code: number, reason: string): void {
  try {
    ws.close(code, reason);
  } catch {
    // It is closed already.
  }
}
