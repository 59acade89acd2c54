"""Images that stay what they are for a network: scores under resizing, shifts, crops, JPEG, blur, noise, brightness."""
