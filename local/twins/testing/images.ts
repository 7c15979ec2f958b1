import { greyPng } from "../common/png.ts";

export function testPng(width = 600, height = 600): Buffer {
  return greyPng(width, height);
}

/** The frame of a JPEG: enough to tell kind and size. */
export function testJpeg(width = 600, height = 600): Buffer {
  const frame = Buffer.from([0xff, 0xc0, 0, 11, 8, 0, 0, 0, 0, 1, 1, 0x11, 0]);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  const app = Buffer.from([0xff, 0xe0, 0, 4, 0, 0]);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), app, frame, Buffer.from([0xff, 0xd9])]);
}
