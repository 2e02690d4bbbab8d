// Questions for a place on the plane, for the few pages that ask one; it stands before predict.js, which finds it.

import { point } from "./predict-point.js";

globalThis.askKinds = { point };
