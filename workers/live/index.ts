export { coinsSettlement } from "./coins.ts";
export { purgeGiftHours, turnGiftWeeks } from "./gift-hours.ts";
export { sendToUser } from "./room-client.ts";
export { endLapsedSessions, purgeVisitors } from "./sessions.ts";
