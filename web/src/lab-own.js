// The lab in a notebook: there the kernel holds the state and the images.

import { renderLab } from "./lab-render.js";

export default { render: (/** @type {{ model: Host<LabTraits>, el: HTMLElement }} */ face) => renderLab(face) };
