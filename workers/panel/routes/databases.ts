import { createRoute, z } from "@hono/zod-openapi";
import { body, panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import {
  createDatabase,
  createDatabaseUser,
  dropDatabase,
  dropDatabaseUser,
  listDatabases,
} from "../databases.ts";
import { Pending } from "../schemas.ts";
import { chosenServer, serverQuery } from "../server-choice.ts";
import { databaseName, databasePassword, databaseUser, databaseUserHost } from "../words.ts";

const tags = ["panel: databases"];
const operator = access("operator", { fresh: true });

const CREATED = z.object({ status: z.literal("ok"), database: z.string() });
const USER_CREATED = CREATED.extend({ username: z.string(), host: z.string() });
const DROPPED = z.object({ status: z.literal("ok") });
const ok = { status: "ok" } as const;

/** Databases of a server and their users. */
export const databaseRoutes = createPanelApi();

databaseRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/db/databases",
    tags,
    summary: "The server's databases, asked of it this moment",
    middleware: [access("operator")] as const,
    request: { query: serverQuery },
    responses: panelOk(
      200,
      z.object({ items: z.array(z.object({ name: z.string(), system: z.boolean() })) }),
    ),
  }),
  async (c) => c.json({ items: await listDatabases(c.var.ctx, chosenServer(c)) }, 200),
);

databaseRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/db/databases",
    tags,
    summary: "Make a database; one that exists is done",
    middleware: [panelRefusals("db.create_database", "database"), operator] as const,
    request: { query: serverQuery, body: body(z.strictObject({ name: databaseName })) },
    responses: { ...panelOk(201, CREATED), ...panelOk(202, Pending) },
  }),
  async (c) => {
    const { name: database } = c.req.valid("json");
    const made = await createDatabase(c.var.ctx, { server: chosenServer(c), database });
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    return c.json({ ...ok, database }, 201);
  },
);

databaseRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/db/users",
    tags,
    summary: "Make an account with all rights on one database, or set its password",
    middleware: [panelRefusals("db.create_user", "database"), operator] as const,
    request: {
      query: serverQuery,
      body: body(
        z.strictObject({
          database: databaseName,
          username: databaseUser,
          password: databasePassword,
          host: databaseUserHost,
        }),
      ),
    },
    responses: { ...panelOk(201, USER_CREATED), ...panelOk(202, Pending) },
  }),
  async (c) => {
    const input = c.req.valid("json");
    const made = await createDatabaseUser(c.var.ctx, { server: chosenServer(c), ...input });
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    const { database, username, host } = input;
    return c.json({ ...ok, database, username, host }, 201);
  },
);

databaseRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/v1/db/databases/{name}",
    tags,
    summary: "Drop a database with all that is in it",
    middleware: [
      panelRefusals("db.drop_database", "database", (c) => c.req.param("name") ?? ""),
      operator,
    ] as const,
    request: { params: z.object({ name: databaseName }), query: serverQuery },
    responses: { ...panelOk(200, DROPPED), ...panelOk(202, Pending) },
  }),
  async (c) => {
    const { name: database } = c.req.valid("param");
    const made = await dropDatabase(c.var.ctx, { server: chosenServer(c), database });
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    return c.json(ok, 200);
  },
);

databaseRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/v1/db/users/{username}",
    tags,
    summary: "Drop a database user",
    middleware: [
      panelRefusals("db.drop_user", "database_user", (c) => c.req.param("username") ?? ""),
      operator,
    ] as const,
    request: {
      params: z.object({ username: databaseUser }),
      query: serverQuery.extend({ host: databaseUserHost }),
    },
    responses: { ...panelOk(200, DROPPED), ...panelOk(202, Pending) },
  }),
  async (c) => {
    const { username } = c.req.valid("param");
    const { host } = c.req.valid("query");
    const made = await dropDatabaseUser(c.var.ctx, { server: chosenServer(c), username, host });
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    return c.json(ok, 200);
  },
);
