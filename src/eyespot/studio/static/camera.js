// The camera of this machine, and help where it does not start.

const SIDE = 480;

/** What the user can do, by the browser's error. @type {Record<string, string>} */
const HELP = {
  NotAllowedError: "The browser may not use the camera. Allow it for this page in the address bar and try again, or use photo files.",
  NotFoundError: "This machine has no camera. Connect one and try again, or use photo files.",
  NotReadableError: "Another program is using the camera. Close that program and try again, or use photo files.",
  OverconstrainedError: "This camera is no longer connected. Choose another one, or use photo files.",
};

export class Camera {
  /** @param {HTMLVideoElement} video that shows the camera */
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
  }

  get isOn() {
    return this.video.srcObject !== null;
  }

  /** Start the camera. Throws an Error with help. @param {string} [device] which one; any if empty */
  async start(device = "") {
    this.stop();
    if (!navigator.mediaDevices) throw new Error(HELP.NotFoundError);
    try {
      this.video.srcObject = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 640 }, height: { ideal: 480 }, ...(device && { deviceId: { exact: device } }) },
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      throw new Error(HELP[name] ?? `The camera does not start (${error}). Try again, or use photo files.`);
    }
    await this.video.play();
  }

  stop() {
    const stream = this.video.srcObject;
    if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }

  /** The cameras, once the user allowed one. */
  async choices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === "videoinput");
  }

  /** The current frame as a JPEG file. @returns {Promise<Blob>} */
  photo() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, SIDE / Math.min(width, height));
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.getContext("2d")?.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((resolve, reject) => {
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The camera returned no frame."))), "image/jpeg", 0.9);
    });
  }
}
