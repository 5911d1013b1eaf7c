// A conversation with the studio's server: the page sends a photo, the server answers, in turn.

import { OFFLINE } from "./ask.js";

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
        reject(new Error(OFFLINE));
      };
    });
    return this.socket;
  }

  /** Send a photo, or a text. @param {Blob | string} message */
  async send(message) {
    const socket = await this.open();
    if (socket.readyState === WebSocket.OPEN) socket.send(message); // if it is closing, `receive` fails
  }

  /** The server's next message: a text is read as JSON. @returns {Promise<any>} */
  async receive() {
    const socket = await this.open();
    return new Promise((resolve, reject) => {
      const closed = () => reject(new Error(OFFLINE));
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
