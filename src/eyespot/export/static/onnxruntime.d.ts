// The part of onnxruntime-web that page.js uses; an export copies the library beside it.
export class Tensor {
  constructor(type: "uint8", data: Uint8Array, dims: readonly number[]);
  readonly data: Float32Array | Uint8Array;
}
export interface InferenceSession {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
export const InferenceSession: {
  create(path: string, options: { executionProviders: string[] }): Promise<InferenceSession>;
};
export const env: { logLevel: "error"; wasm: { numThreads: number } };
