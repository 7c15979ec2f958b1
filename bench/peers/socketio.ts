import { createServer } from "node:http";
import { Server } from "socket.io";

/**
 * What people run today: the official server on Node with the app's room events, nothing else on the way.
 * Started by the benchmark with PORT in its environment.
 */
const server = createServer((_request, response) => void response.end("ok"));
const io = new Server(server, { transports: ["websocket"], maxHttpBufferSize: 1_000_000 });

interface Claim {
  roomId: string;
  userId: number | null;
  username: string;
}

io.on("connection", (socket) => {
  const tellCount = (roomId: string) => {
    const count = io.sockets.adapter.rooms.get(roomId)?.size ?? 0;
    io.to(roomId).emit("live:viewer-count", { count });
  };
  socket.on("live:join", ({ roomId, userId, username }: Claim) => {
    void socket.join(roomId);
    socket.to(roomId).emit("live:user-joined", { userId, username, level: 1 });
    tellCount(roomId);
  });
  socket.on("live:leave", ({ roomId, userId, username }: Claim) => {
    void socket.leave(roomId);
    socket.to(roomId).emit("live:user-left", { userId, username });
    tellCount(roomId);
  });
  socket.on("live:message", (message: Claim & { message: string }) => {
    socket.to(message.roomId).emit("live:new-message", message);
  });
});

server.listen(Number(process.env.PORT), "127.0.0.1");
