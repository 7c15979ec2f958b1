import { z } from "@hono/zod-openapi";
import { AGENT_URL } from "../drivers/agent-words.ts";

/** A text that is missing or null is as one left empty: the verb has the contract's words for all three. */
export const orNothing = (max: number) =>
  z
    .string()
    .max(max)
    .nullish()
    .transform((value) => value ?? "");

export const CreateWebsiteBody = z
  .object({
    subscriptionId: orNothing(100),
    domain: orNothing(300),
  })
  .openapi("CreateWebsite");

const shape = {
  id: z.string(),
  userId: z.string(),
  subscriptionId: z.string(),
  domain: z.string(),
  aaPanelUserId: z.null(),
  aaPanelSiteId: z.string().nullable(),
  ftpHost: z.string(),
  ftpUsername: z.string(),
  databaseName: z.string().nullable(),
  status: z.enum(["PENDING", "ACTIVE", "SUSPENDED", "DELETED"]),
  httpsUntil: z.string().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
};

export const WebsiteRow = z.object(shape).openapi("Website");

export const CreatedWebsite = z
  .object({ ...shape, ftpPassword: z.string().nullable() })
  .openapi("CreatedWebsite");

export const CredentialsView = z
  .object({
    ftpHost: z.string(),
    ftpUsername: z.string(),
    ftpPassword: z.string(),
    databaseHost: z.string().nullable(),
    databaseName: z.string().nullable(),
    databaseUsername: z.string().nullable(),
    databasePassword: z.string().nullable(),
  })
  .openapi("WebsiteCredentials");

export const WebsiteJobView = z
  .object({
    id: z.string(),
    kind: z.string(),
    status: z.enum(["PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED"]),
    progress: z.number(),
    websiteId: z.string(),
    createdAt: z.string(),
    finishedAt: z.string().nullable(),
  })
  .openapi("WebsiteJob");

const hostName = z.string().regex(/^[a-z0-9.-]+(:\d{1,5})?$/i);

export const AddServerBody = z
  .object({
    name: z.string().trim().min(1).max(100),
    /** An aaPanel's address, or `agent:<id>` of a server of the panel. */
    baseUrl: z.union([z.url({ protocol: /^https?$/ }).max(300), z.string().regex(AGENT_URL)]),
    /** Of an aaPanel. */
    apiKey: z.string().min(16).max(200).optional(),
    webAddress: hostName.optional(),
    ftpHost: hostName.optional(),
    sitesPath: z
      .string()
      .regex(/^\/[a-z0-9/_-]+[a-z0-9]$/)
      .optional(),
    phpVersion: z
      .string()
      .regex(/^\d{2}$/)
      .nullable()
      .default("82"),
    hasDatabases: z.boolean().default(true),
    capacity: z.number().int().min(0).max(10_000),
  })
  .openapi("AddHostingServer");

export const ServerRow = z
  .object({
    id: z.string(),
    name: z.string(),
    driver: z.string(),
    baseUrl: z.string(),
    webAddress: z.string(),
    ftpHost: z.string(),
    phpVersion: z.string().nullable(),
    hasDatabases: z.boolean(),
    capacity: z.number(),
    sites: z.number(),
    isActive: z.boolean(),
  })
  .openapi("HostingServer");
