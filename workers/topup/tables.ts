export * from "./tables/admin.ts";
export * from "./tables/catalogue.ts";
export * from "./tables/orders.ts";
export * from "./tables/resellers.ts";
