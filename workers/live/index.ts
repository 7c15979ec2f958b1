export { coinsSettlement } from "./coins.ts";
export { isSocketPath, serveSockets } from "./entry.ts";
export { purgeGiftHours, turnGiftWeeks } from "./gift-hours.ts";
export { Room } from "./room.ts";
export { sendToUser } from "./room-client.ts";
export { endLapsedSessions } from "./sessions.ts";
export { SocketShard } from "./shard.ts";
