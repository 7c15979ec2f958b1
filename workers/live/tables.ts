export * from "./tables/agencies.ts";
export * from "./tables/coins.ts";
export * from "./tables/gifts.ts";
export * from "./tables/sessions.ts";
export * from "./tables/social.ts";
