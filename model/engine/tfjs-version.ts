/** The version of every tfjs package; they only fit together if equal. */
export const tfjsVersion = '4.22.0';
