// Where the worker begins. build.js bundles it by itself, and puts its text into searcher.js.

import { serve } from "./search.js";

const take = serve((answer) => self.postMessage(answer));
self.onmessage = ({ data }) => take(data);
