"""Pure steps from image and mask to what features are counted on."""
