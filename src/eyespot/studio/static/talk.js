// A conversation with the studio's server: a picture goes, an answer comes, one after the other.

export class Talk {
  /** @param {string} path of the server */
  constructor(path) {
    this.path = path;
    /** @type {Promise<WebSocket> | undefined} */
    this.socket = undefined;
  }

  /** @returns {Promise<WebSocket>} */
  open() {
    this.socket ??= new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://${location.host}${this.path}`);
      socket.binaryType = "blob";
      socket.onopen = () => resolve(socket);
      socket.onclose = () => {
        this.socket = undefined;
        reject(new Error("The studio does not answer. Is it still running? Start it again with: eyespot studio"));
      };
    });
    return this.socket;
  }

  /** Send a picture, or a text that asks for no answer. @param {Blob | string} message */
  async say(message) {
    const socket = await this.open();
    if (socket.readyState === WebSocket.OPEN) socket.send(message); // of one that closes, `hear` tells
  }

  /** The server's next message: text read as JSON, or a file. @returns {Promise<any>} */
  async hear() {
    const socket = await this.open();
    return new Promise((resolve, reject) => {
      const closed = () => reject(new Error("The studio does not answer any more. Is it still running?"));
      socket.addEventListener("close", closed, { once: true });
      socket.addEventListener("message", (event) => {
        socket.removeEventListener("close", closed);
        resolve(typeof event.data === "string" ? JSON.parse(event.data) : event.data);
      }, { once: true });
    });
  }

  close() {
    this.socket?.then((socket) => socket.close(), () => {});
    this.socket = undefined;
  }
}
