import { textOf } from "../common/market/faults.ts";
import { imageFacts } from "../common/market/image.ts";
import type { Market } from "../common/market/market.ts";
import { readMultipart } from "../common/market/multipart.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, badParam, good } from "./answers.ts";

const maxBytes = 10 * 1024 * 1024;

function upload(market: Market, request: TwinRequest): TwinAnswer {
  const parts = readMultipart(request.header("content-type"), request.bytes);
  if (!parts) return badParam("the body must be multipart/form-data");
  const files = parts.filter((part) => part.name === "image" && part.filename !== null);
  const [file] = files;
  if (!file || files.length >= 9) return badParam("image must be 1 to 8 files");
  const refused = market.own.text("badImage", textOf(request, ""), "image is not allowed");
  if (refused !== null) return bad("error_invalid_image", refused);
  if (file.bytes.length > maxBytes) return bad("error_file_too_large", "the image is over 10 MB");
  const facts = imageFacts(file.bytes);
  if (!facts) return bad("error_invalid_image", "the file is neither JPG nor PNG");
  const id = market.keepImage(facts);
  const url = `https://cf.shopee.co.id/file/${id}`;
  return good({
    image_info: { image_id: id, image_url_list: [{ image_url_region: "ID", image_url: url }] },
  });
}

/** shopee.md section 5: a multipart field `image`, under the public signature. */
export function imageRoutes(market: Market): Record<string, Handler> {
  return { "POST /api/v2/media_space/upload_image": (request) => upload(market, request) };
}
