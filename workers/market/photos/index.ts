export { enhancePhoto, getPhoto } from "./enhance.ts";
export { photoJob } from "./job.ts";
export { photoApplier, receivePhotoNotice } from "./notices.ts";
