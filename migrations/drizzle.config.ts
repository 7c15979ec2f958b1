import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  casing: "snake_case",
  schema: ["./shared/*/tables.ts", "./workers/*/tables.ts"],
  out: "./migrations",
});
