import type { Role } from "../../../../shared/context.ts";
import { featureProductTool, featureStoreTool } from "./admin.ts";
import { draftPostTool, enhancePhotoTool } from "./pictures.ts";
import {
  createProductTool,
  deleteProductTool,
  findProductsTool,
  updateProductTool,
} from "./products.ts";
import { createPromoTool, orderSummaryTool, syncTool } from "./selling.ts";
import { locateStoreTool, updateStoreTool } from "./store.ts";
import type { Tool } from "./tool.ts";

/**
 * Everything that the assistant can do: the ten tools of spec/tokoblitar.md, and three that a price cannot be changed by
 * chat without (find, update, delete). Their order is fixed, so that the model's cache holds.
 */
const TOOLS: readonly Tool[] = [
  createProductTool,
  updateStoreTool,
  locateStoreTool,
  syncTool,
  createPromoTool,
  draftPostTool,
  orderSummaryTool,
  enhancePhotoTool,
  findProductsTool,
  updateProductTool,
  deleteProductTool,
  featureStoreTool,
  featureProductTool,
];

/** What somebody with these roles may have done. */
export const toolsFor = (roles: readonly Role[]): Tool[] =>
  TOOLS.filter(({ role }) => roles.includes(role));
