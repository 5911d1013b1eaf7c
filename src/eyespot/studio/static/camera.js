// The camera of this machine, and what to do if there is none.

const SIDE = 480;

/** What a person can do about each refusal of the browser.
 * @type {Record<string, string>} */
const REFUSALS = {
  NotAllowedError: "The browser may not use the camera. Allow it for this page (in the address line), and try again; or use pictures.",
  NotFoundError: "There is no camera at this machine. Plug one in and try again, or use pictures.",
  NotReadableError: "The camera is in use by another program. Close that program and try again, or use pictures.",
  OverconstrainedError: "This camera is not there any more. Choose another one, or use pictures.",
};

export class Camera {
  /** @param {HTMLVideoElement} video where the camera's pictures are shown */
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
  }

  get isOn() {
    return this.video.srcObject !== null;
  }

  /** Show what the camera sees. Throws an Error that says what to do.
   * @param {string} [device] which one; any if empty */
  async start(device = "") {
    this.stop();
    if (!navigator.mediaDevices) throw new Error(REFUSALS.NotFoundError);
    try {
      this.video.srcObject = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 640 }, height: { ideal: 480 }, ...(device && { deviceId: { exact: device } }) },
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      throw new Error(REFUSALS[name] ?? `The camera does not start (${error}). Try again, or use pictures.`);
    }
    await this.video.play();
  }

  stop() {
    const stream = this.video.srcObject;
    if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }

  /** Cameras to choose among, once one of them was allowed. */
  async choices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === "videoinput");
  }

  /** What the camera sees now, as a JPEG file. @returns {Promise<Blob>} */
  picture() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, SIDE / Math.min(width, height));
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.getContext("2d")?.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((resolve, reject) => {
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The camera gave no picture."))), "image/jpeg", 0.9);
    });
  }
}
