// The part of onnxruntime-web that the page uses; an export copies the library beside it.
export class Tensor {
  constructor(type: "uint8", data: Uint8Array, dims: readonly number[]);
  readonly data: Float32Array | Uint8Array | BigInt64Array;
}
export interface InferenceSession {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
export const InferenceSession: {
  create(path: string, options: { executionProviders: string[] }): Promise<InferenceSession>;
};
export const env: { logLevel: "error"; wasm: { numThreads: number } };
