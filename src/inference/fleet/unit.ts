// Units of memory. All sizes of this folder are bytes; datasheets and nvidia-smi speak in these.

/** Bytes of a mebibyte, what nvidia-smi prints as MiB. */
export const MIB: number = 2 ** 20;

/** Bytes of a gibibyte, what vLLM prints as GiB. */
export const GIB: number = 2 ** 30;
