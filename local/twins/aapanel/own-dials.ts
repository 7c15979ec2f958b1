/** What only this panel can be told to do wrong; the `path` of a dial is compared with `/site?action=AddSite`. */
export const panelDials = {
  say: "a call is answered status:false with this msg and does not act, unless acts is true",
  raise:
    "a call is answered with the HTML page 404, as after an exception; acts false: before it acted",
  callerAddress: "a call comes from this address (203.0.113.7)",
  ftpRefused: "AddSite makes the site and not its FTP account; AddUser is refused",
  databaseRefused: "AddSite makes the site and not its database; AddDatabase is refused",
  corruptChunk: "a byte of an uploaded chunk is stored wrong",
  shortChunk: "only half of an uploaded chunk is stored",
  unzipSilent: "UnZip says yes and extracts so many entries (0)",
  queueUnzip: "UnZip is queued whatever its size, and begins after so many ms (300)",
  noDns: "a certificate is refused: the domain does not point here",
} as const;
